// The handler whose source is locked.
