# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Makes a repository below /tmp, and a commit in it, by git."""

import shutil
from pathlib import Path

import git
from outcome import told

FOLDER = Path("/tmp/git/repository")


def use():
    shutil.rmtree(FOLDER, ignore_errors=True)
    repository = git.Repo.init(FOLDER)
    (FOLDER / "file.txt").write_text("text")
    repository.index.add(["file.txt"])
    actor = git.Actor("a", "a@example.com")
    repository.index.commit("first", author=actor, committer=actor)
    return [repository.head.commit.message, repository.git.log("--format=%s")]


handler = told(use)
