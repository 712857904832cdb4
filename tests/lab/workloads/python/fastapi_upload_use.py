# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Takes an upload of 1.2 MB by Mangum, which Starlette keeps in a spooled temporary file."""

import base64

from fastapi import FastAPI, UploadFile
from mangum import Mangum
from outcome import told

app = FastAPI()


@app.post("/")
async def root(file: UploadFile):
    return {"size": len(await file.read())}


def multipart():
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    return head + b"x" * 1_200_000 + b"\r\n--b--\r\n"


EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/",
    "rawQueryString": "",
    "headers": {"host": "example.com", "content-type": "multipart/form-data; boundary=b"},
    "requestContext": {
        "http": {"method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "a"},
        "stage": "$default",
    },
    "body": base64.b64encode(multipart()).decode(),
    "isBase64Encoded": True,
}
answer = Mangum(app)


def use():
    given = answer(EVENT, None)
    if given["statusCode"] != 200:
        raise ValueError(given["body"])
    return given["body"]


handler = told(use)
