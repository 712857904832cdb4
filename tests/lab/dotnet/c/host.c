/* `own HOSTFXR ASSEMBLY...`: runs a program of .NET's without `dotnet`, as a function does that brings its own runtime
 * along; such a one is called as its owner likes. */
#include <dlfcn.h>
#include <stdio.h>

typedef int run(int count, const char **words, const char *host, const char *root, const char *application);

int main(int argc, const char **argv)
{
    void *library = argc > 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    run *start = library ? (run *)dlsym(library, "hostfxr_main_startupinfo") : NULL;
    if (!start) {
        fprintf(stderr, "%s\n", argc > 2 ? dlerror() : "own HOSTFXR ASSEMBLY");
        return 2;
    }
    argv[1] = "exec";
    return start(argc, argv, "/var/lang/bin/dotnet", "/var/lang/bin", "/var/lang/bin/dotnet.dll");
}
