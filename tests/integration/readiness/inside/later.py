NAME = "imported later"
