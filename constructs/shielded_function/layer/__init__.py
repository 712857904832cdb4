"""The layer with the shield: its archive, its versions, its bill of materials, and the runtimes that take it."""
