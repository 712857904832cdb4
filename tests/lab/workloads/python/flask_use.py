# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Answers a request, and takes an upload of 600 kB, which it keeps in a temporary file."""

import io

from flask import Flask, render_template_string, request
from outcome import told

app = Flask(__name__)


@app.post("/")
def root():
    size = len(request.files["file"].read())
    return render_template_string("{{ size }} bytes", size=size)


def use():
    data = {"file": (io.BytesIO(b"x" * 600_000), "file.bin")}
    return app.test_client().post("/", data=data).get_data(as_text=True)


handler = told(use)
