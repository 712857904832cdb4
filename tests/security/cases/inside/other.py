"""A module beside the handler, loaded lazily: not protected."""

VALUE = "loaded"
