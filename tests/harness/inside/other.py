"""A module beside the handler: not protected."""
