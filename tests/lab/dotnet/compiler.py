"""`python compiler.py HOME ROSLYN OUT SOURCE...`: compiles C# into a program that `dotnet exec OUT` runs.

A process of its own, with pythonnet on its path: it hosts the .NET of HOME, and that runs the compiler.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

# Without ICU, which is not everywhere.
_CONFIGURATION = {
    "runtimeOptions": {
        "tfm": "net8.0",
        "framework": {"name": "Microsoft.NETCore.App", "version": "8.0.0"},
        "configProperties": {"System.Globalization.Invariant": True},
    }
}


def main(home: Path, roslyn: Path, out: Path, sources: list[Path]) -> int:
    """Writes OUT and the settings that go with it; 1, and the compiler's words, when there are errors."""
    settings = out.with_suffix(".runtimeconfig.json")
    settings.write_text(json.dumps(_CONFIGURATION))
    # Modules that are there once .NET runs, and have the names of its namespaces.
    pythonnet: Any = importlib.import_module("pythonnet")
    pythonnet.load("coreclr", dotnet_root=str(home), runtime_config=str(settings))
    clr: Any = importlib.import_module("clr")
    sys.path.append(str(roslyn))
    for library in sorted(roslyn.glob("*.dll")):
        clr.AddReference(library.stem)
    analysis: Any = importlib.import_module("Microsoft.CodeAnalysis")
    csharp: Any = importlib.import_module("Microsoft.CodeAnalysis.CSharp")
    emit: Any = importlib.import_module("Microsoft.CodeAnalysis.Emit")
    files: Any = importlib.import_module("System.IO")
    lists: Any = importlib.import_module("System.Collections.Generic")
    text: Any = importlib.import_module("System.Text")

    trees, references = lists.List[analysis.SyntaxTree](), lists.List[analysis.MetadataReference]()
    for source in sources:
        trees.Add(csharp.CSharpSyntaxTree.ParseText(source.read_text(), path=source.name, encoding=text.Encoding.UTF8))
    for library in home.glob("shared/Microsoft.NETCore.App/*/*.dll"):
        references.Add(analysis.MetadataReference.CreateFromFile(str(library)))
    options = csharp.CSharpCompilationOptions(analysis.OutputKind.ConsoleApplication)
    compilation = csharp.CSharpCompilation.Create(out.stem, trees, references, options)
    portable = emit.EmitOptions(False, emit.DebugInformationFormat.PortablePdb)
    assembly, symbols = files.MemoryStream(), files.MemoryStream()
    result = compilation.Emit(assembly, symbols, options=portable)
    for found in result.Diagnostics:
        if found.Severity == analysis.DiagnosticSeverity.Error:
            print(found, file=sys.stderr)
    if not result.Success:
        return 1
    files.File.WriteAllBytes(str(out), assembly.ToArray())
    files.File.WriteAllBytes(str(out.with_suffix(".pdb")), symbols.ToArray())
    return 0


if __name__ == "__main__":
    paths = [Path(word) for word in sys.argv[1:]]
    sys.exit(main(paths[0], paths[1], paths[2], paths[3:]))
