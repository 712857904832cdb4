# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Answers an event of API Gateway by Mangum."""

from fastapi import FastAPI
from mangum import Mangum
from outcome import told

app = FastAPI()


@app.get("/")
def root(name: str = "you"):  # not async: runs in a thread
    return {"hello": name}


EVENT = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/",
    "rawQueryString": "",
    "headers": {"host": "example.com"},
    "requestContext": {
        "http": {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "a"},
        "stage": "$default",
    },
    "isBase64Encoded": False,
}
answer = Mangum(app)


def use():
    return answer(EVENT, None)["body"]


handler = told(use)
