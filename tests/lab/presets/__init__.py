"""Each preset of ShieldPolicy, with the library that it is for."""
