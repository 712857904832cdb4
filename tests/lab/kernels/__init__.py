"""The engine on older kernels than this machine's: Debian's, in a virtual machine that needs neither root nor KVM."""
