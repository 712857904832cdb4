"""The engine on other C libraries than this machine's: glibc of Debian 11, 12 and 13, and musl."""
