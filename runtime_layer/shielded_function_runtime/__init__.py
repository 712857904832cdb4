"""Python over the native side of the shield: `core` asks the C core what a policy means, `build` compiles it all.

Nothing is imported here, so that the build runs before there is anything to load.
"""
