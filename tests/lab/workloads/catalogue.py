"""The workloads: one row for each use of a library.

To add one: a row here, its handler in `python/` (`<module>_use.py`), `node/` or `java/src/workloads/` by the row's
`module`, its package in the language's lock file, and `make workloads WORKLOADS_ARGS=--new`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["Python", "Node.js", "Java"]


@dataclass(frozen=True)
class Workload:
    """One library in use.

    Attributes:
        language: of the function.
        name: as the registry calls it; empty `package`: the package too.
        does: what the handler does, in a few words.
        package: whose version is told, where `name` is not it, in Java `group:artifact:version` and perhaps a
            classifier; `-` for what comes with the runtime.
        needs: other packages that the handler imports.
        servers: real ones, as lab.clients.servers calls them; `aws` is moto.
        environment: what the function's owner would set.
        globs: entries of `allow_tmp` for names that vary, which somebody has to write: no alert says them.
        does_without: entries of its alerts, or globs of them, that nobody should list, as it goes on without them.
        note: what a reader should know of the result.
    """

    language: Language
    name: str
    does: str
    package: str = ""
    needs: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    globs: tuple[str, ...] = ()
    does_without: tuple[str, ...] = ()
    note: str = ""

    @property
    def module(self) -> str:
        """The name of its handler's file, without the ending; in Java, of its class."""
        plain = self.name.lower().lstrip("@")
        if self.language == "Java":
            return "".join(part.capitalize() for part in plain.split("-"))
        return "".join(each if each.isalnum() else "_" for each in plain)

    @property
    def packages(self) -> tuple[str, ...]:
        """Everything that it is installed with, but for what those require."""
        own = self.package or self.name
        return (*(() if own == "-" else (own,)), *self.needs)


_SINGLE = {"OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
_NO_HOST = "its host does not exist here, so it fails unshielded too"
_BRIDGE = "a foreign-function bridge: with it, code can call any function"
_STATIC = "it is static, so it runs without the shield where it is listed"
_NOBODY = "no server listens there, so it fails unshielded too"
_FIND_LIBRARY = "[`find_library`](troubleshooting.md) looks for its library"
_IN_MEMORY = "the server is an in-memory one that speaks MongoDB's protocol"
_MARIADB = "the server is MariaDB"


def _python(name: str, does: str, **more: object) -> Workload:
    return Workload("Python", name, does, **more)  # pyright: ignore[reportArgumentType]


def _node(name: str, does: str, **more: object) -> Workload:
    return Workload("Node.js", name, does, **more)  # pyright: ignore[reportArgumentType]


def _java(name: str, does: str, **more: object) -> Workload:
    return Workload("Java", name, does, **more)  # pyright: ignore[reportArgumentType]


PYTHON = (
    _python("aiohttp", "two requests at once"),
    _python("anthropic", "two APIs, a request each", needs=("openai",)),
    _python("asyncpg", "a query to PostgreSQL", servers=("database",)),
    _python("aws-lambda-powertools", "logs, metrics, traces", needs=("aws-xray-sdk",)),
    _python("aws-xray-sdk", "patches libraries, a subsegment"),
    _python("azure-storage-blob", "a blob's properties"),
    _python("bcrypt", "hashes a password"),
    _python("beautifulsoup4", "reads HTML"),
    _python("boto3", "an object of S3", package="-", servers=("aws",)),
    _python(
        "boto3-transfer",
        "files of S3, by way of /tmp",
        package="-",
        servers=("aws",),
        globs=("/tmp/download.bin.????????",),
    ),
    _python(
        "cairosvg",
        "draws an SVG, by libcairo",
        does_without=("/usr/bin/*gcc*", "/usr/bin/*ld*", "/usr/lib/gcc/*", "/tmp/cc*"),
        note=_FIND_LIBRARY,
    ),
    _python("catboost", "trains a model", note="its library has text relocations"),
    _python("cffi", "callbacks from C"),
    _python("cffi-find-library", "callbacks, in a library that is searched for", package="cffi", note=_FIND_LIBRARY),
    _python("cryptography", "signs, encrypts"),
    _python("ddtrace", "a span, for an agent that is not there"),
    _python("deltalake", "writes, adds to and reads a table", needs=("pyarrow",), globs=("/tmp/delta/**",)),
    _python("django", "a view, a template, SQLite in memory"),
    _python("duckdb", "a join in memory, by threads"),
    _python("duckdb-file", "a database in /tmp", package="duckdb"),
    _python("elasticsearch", "a request to Elasticsearch", note=_NOBODY),
    _python(
        "fastapi",
        "an event of API Gateway, by Mangum",
        needs=("mangum",),
        note="to name a route's line in its errors, it reads the file that defines it",
    ),
    _python("fastapi-upload", "an upload of 1.2 MB", package="fastapi", needs=("mangum", "python-multipart")),
    _python("flask", "a request with an upload of 600 kB"),
    _python("gitpython", "a repository and a commit, by git", globs=("/tmp/git/**",)),
    _python("google-cloud-storage", "reads an object"),
    _python("grpcio", "a call", note=_NOBODY),
    _python("httpx", "a request"),
    _python("imageio-ffmpeg", "encodes frames, by a program"),
    _python("jax", "compiles a function", needs=("numpy",), note="or the process ends with a segmentation fault"),
    _python("jinja2", "renders a template"),
    _python(
        "jinja2-cache",
        "renders with its cache of bytecode in a file",
        package="jinja2",
        globs=("/tmp/_jinja2-cache-*/**",),
    ),
    _python("joblib", "worker processes"),
    _python("jsonschema", "validates"),
    _python("kafka-python", "sends to Kafka and reads it", servers=("kafka",)),
    _python("langchain-openai", "renders a prompt, asks an API"),
    _python("lightgbm", "trains a model", environment=_SINGLE),
    _python("loguru", "logs a traceback", note="`diagnose=True` reads the source for its tracebacks"),
    _python("lxml", "XPath, XSLT, HTML"),
    _python("markdown", "renders a text"),
    _python("marshmallow", "validates"),
    _python("matplotlib", "draws a plot", environment={"MPLCONFIGDIR": "/tmp/matplotlib"}),
    _python("multiprocessing", "a forked process and a pipe", package="-"),
    _python("networkx", "a shortest path"),
    _python("nltk", "tokenizes, stems"),
    _python("numba", "compiles a loop, with its cache", environment={"NUMBA_CACHE_DIR": "/tmp/numba"}),
    _python("numpy", "linear algebra, by BLAS's threads", environment=_SINGLE),
    _python("onnxruntime", "runs a model", needs=("numpy",)),
    _python("openai", "a request"),
    _python("opencv", "blurs and encodes an image", package="opencv-python-headless"),
    _python("openpyxl", "writes and reads a workbook"),
    _python("opentelemetry", "a span, exported over HTTP", package="opentelemetry-exporter-otlp-proto-http"),
    _python("orjson", "writes and reads JSON"),
    _python("pandas", "groups a table, time zones", environment=_SINGLE),
    _python("paramiko", "connects by SSH", note=_NOBODY),
    _python("pika", "connects to RabbitMQ", note=_NOBODY),
    _python("pillow", "a thumbnail with a text"),
    _python("platform", "the machine's name, a list of /tmp", package="-"),
    _python("polars", "groups a table, by threads"),
    _python(
        "polars-unchecked",
        "the same, with `POLARS_SKIP_CPU_CHECK=1`",
        package="polars",
        environment={"POLARS_SKIP_CPU_CHECK": "1"},
    ),
    _python("prophet", "fits a forecast, by a program", environment={"MPLCONFIGDIR": "/tmp/matplotlib", **_SINGLE}),
    _python("protobuf", "writes and reads a message"),
    _python("psutil", "reads /proc"),
    _python("psycopg", "a query to PostgreSQL", needs=("psycopg-binary",), servers=("database",)),
    _python("psycopg2", "a query to PostgreSQL", package="psycopg2-binary", servers=("database",)),
    _python("pulp", "solves a linear program, by a program"),
    _python("pyarrow", "writes and reads Parquet, by threads"),
    _python("pycryptodome", "encrypts"),
    _python("pydantic", "validates an event"),
    _python("pyjwt", "signs and verifies a token"),
    _python(
        "pymongo",
        "inserts and finds a document",
        servers=("mongodb",),
        note=f"{_IN_MEMORY}; the client records where it was made, and reads the source for it",
    ),
    _python("pymysql", "a query to MySQL", servers=("mysql",), note=_MARIADB),
    _python("pypdf", "writes and reads a PDF"),
    _python("python-dateutil", "dates in time zones"),
    _python(
        "python-magic",
        "a file's type, by libmagic",
        note=_FIND_LIBRARY,
    ),
    _python("pyyaml", "reads and writes YAML"),
    _python("rapidfuzz", "compares texts"),
    _python("redis", "a pipeline to Redis", servers=("cache",)),
    _python("reportlab", "writes a PDF"),
    _python("requests", "a request"),
    _python("s3fs", "a file of S3", servers=("aws",)),
    _python("scikit-learn", "trains a forest, by threads", environment=_SINGLE),
    _python("scipy", "minimizes, transforms", environment=_SINGLE),
    _python("sentry-sdk", "sends an exception", note="it reads the source for its traces, and asks git for the commit"),
    _python("shapely", "geometry"),
    _python("sqlalchemy", "its ORM over SQLite in memory"),
    _python("sqlite3", "a database in /tmp", package="-"),
    _python("stripe", "a request"),
    _python("structlog", "logs"),
    _python("tempfile", "files and folders of the standard library", package="-"),
    _python("tiktoken", "a vocabulary from the network", note=_NO_HOST),
    _python("urllib3", "a request"),
    _python("uvloop", "an event loop, a look-up, a thread"),
    _python("xgboost", "trains a model", environment=_SINGLE, note="it registers callbacks when it is imported"),
    _python("xlsxwriter", "writes a workbook"),
    _python("xmltodict", "reads and writes XML"),
    _python("zstandard", "compresses, by threads"),
)
NODE = (
    _node("@apollo/server", "a GraphQL query"),
    _node("@aws-lambda-powertools/logger", "logs"),
    _node("@aws-sdk/client-s3", "an object of S3", servers=("aws",)),
    _node("@grpc/grpc-js", "a call", note=_NOBODY),
    _node("@middy/core", "a handler with a middleware"),
    _node("@napi-rs/canvas", "draws a text"),
    _node("@sentry/node", "sends an exception", note="it reads the source for its traces"),
    _node("@swc/core", "compiles TypeScript"),
    _node("ajv", "compiles a schema, validates"),
    _node("amqplib", "connects to RabbitMQ", note=_NOBODY),
    _node("archiver", "a zip in memory"),
    _node("argon2", "hashes a password"),
    _node("aws-xray-sdk-core", "a subsegment"),
    _node("axios", "a request"),
    _node("bcrypt", "hashes a password, in native code"),
    _node("bcryptjs", "hashes a password"),
    _node("cheerio", "reads HTML"),
    _node("child_process", "a command by the shell", package="-"),
    _node("csv-parse", "reads CSV"),
    _node("dayjs", "dates in time zones"),
    _node("esbuild", "compiles TypeScript, by a program", note=_STATIC),
    _node("exceljs", "writes and reads a workbook in memory"),
    _node("exceljs-stream", "streams a workbook to /tmp", package="exceljs"),
    _node("express", "an event of API Gateway, by serverless-http", needs=("serverless-http",)),
    _node("fast-xml-parser", "reads XML"),
    _node("fastify", "answers a request"),
    _node(
        "formidable",
        "uploads, also by multer",
        needs=("multer",),
        globs=("/tmp/" + "?" * 25, "/tmp/uploads/*"),
    ),
    _node("got", "a request"),
    _node("graphql", "a query"),
    _node("handlebars", "renders a template"),
    _node("ioredis", "a pipeline to Redis", servers=("cache",)),
    _node("joi", "validates an event"),
    _node("jose", "encrypts a token"),
    _node("jsdom", "runs a page's script"),
    _node("jsonwebtoken", "signs and verifies a token"),
    _node("kafkajs", "sends to Kafka and reads it", servers=("kafka",)),
    _node("knex", "a query to PostgreSQL, from a pool", servers=("database",)),
    _node("koffi", "calls a function of libc", note=_BRIDGE),
    _node("lodash", "groups"),
    _node("moment", "formats a date"),
    _node("mongodb", "inserts and finds a document", servers=("mongodb",), note=_IN_MEMORY),
    _node("mysql2", "a query to MySQL", servers=("mysql",), note=_MARIADB),
    _node("node-fetch", "a request"),
    _node("nodemailer", "sends a mail", note=_NOBODY),
    _node("openai", "a request"),
    _node("pdf-lib", "writes a PDF"),
    _node("pdfkit", "writes a PDF"),
    _node("pg", "a query to PostgreSQL", servers=("database",)),
    _node("pino", "logs"),
    _node("pino-transport", "logs through a thread", package="pino"),
    _node("playwright-core", "draws a page, by a packed browser", needs=("@sparticuz/chromium",)),
    _node(
        "puppeteer-core",
        "starts a browser",
        globs=("/tmp/puppeteer_dev_chrome_profile-*/**",),
        note="there is no browser, so it fails unshielded too",
    ),
    _node("redis", "sets and gets a key in Redis", servers=("cache",)),
    _node("sass", "compiles a style sheet"),
    _node("sharp", "resizes an image, by threads"),
    _node("sharp-text", "draws a text, by Pango", package="sharp"),
    _node("stripe", "a request"),
    _node("undici", "a request, from a pool"),
    _node("uuid", "makes identifiers"),
    _node("winston", "logs"),
    _node("ws", "a WebSocket on loopback"),
    _node("zod", "validates an event"),
)
JAVA = (
    _java(
        "aws-crt",
        "a checksum, in native code",
        package="software.amazon.awssdk.crt:aws-crt:0.38.1",
        environment={"JAVA_TOOL_OPTIONS": "-Daws.crt.libc=glibc"},
    ),
    _java(
        "aws-sdk-s3",
        "an object of S3",
        package="software.amazon.awssdk:s3:2.29.50",
        needs=("software.amazon.awssdk:url-connection-client:2.29.50",),
        servers=("aws",),
    ),
    _java(
        "aws-sdk-s3-async",
        "makes and lists buckets, over Netty",
        package="software.amazon.awssdk:s3:2.29.50",
        servers=("aws",),
    ),
    _java("bouncycastle", "digests", package="org.bouncycastle:bcprov-jdk18on:1.80"),
    _java("commons-io", "a file in /tmp", package="commons-io:commons-io:2.18.0"),
    _java("commons-lang3", "works on texts", package="org.apache.commons:commons-lang3:3.17.0"),
    _java(
        "grpc-netty-shaded",
        "a call",
        package="io.grpc:grpc-netty-shaded:1.69.0",
        needs=("io.grpc:grpc-services:1.69.0",),
        note=_NOBODY,
    ),
    _java("gson", "writes and reads JSON", package="com.google.code.gson:gson:2.11.0"),
    _java("guava", "groups", package="com.google.guava:guava:33.4.0-jre"),
    _java("h2", "a database in memory", package="com.h2database:h2:2.3.232"),
    _java(
        "hikaricp",
        "a query to PostgreSQL, from a pool",
        package="com.zaxxer:HikariCP:6.2.1",
        needs=("org.postgresql:postgresql:42.7.5",),
        servers=("database",),
    ),
    _java("http-client-of-java", "a request, by the JDK", package="-"),
    _java("httpclient5", "a request", package="org.apache.httpcomponents.client5:httpclient5:5.4.1"),
    _java("imageio", "draws and encodes an image, by the JDK", package="-"),
    _java("jackson-databind", "writes and reads JSON", package="com.fasterxml.jackson.core:jackson-databind:2.18.2"),
    _java("jedis", "sets and gets a key in Redis", package="redis.clients:jedis:5.2.0", servers=("cache",)),
    _java(
        "jna",
        "a function of C's library",
        package="net.java.dev.jna:jna:5.17.0",
        does_without=("unshielded:/usr/sbin/ldconfig",),
    ),
    _java("jsoup", "reads HTML", package="org.jsoup:jsoup:1.18.3"),
    _java(
        "kafka-clients",
        "sends to Kafka and reads it",
        package="org.apache.kafka:kafka-clients:3.9.0",
        servers=("kafka",),
    ),
    _java(
        "lettuce", "sets and gets a key in Redis", package="io.lettuce:lettuce-core:6.5.2.RELEASE", servers=("cache",)
    ),
    _java("log4j", "logs", package="org.apache.logging.log4j:log4j-core:2.24.3"),
    _java("logback", "logs", package="ch.qos.logback:logback-classic:1.5.16"),
    _java("lz4-java", "compresses, in native code", package="org.lz4:lz4-java:1.8.0"),
    _java(
        "mongodb-driver",
        "inserts and finds a document",
        package="org.mongodb:mongodb-driver-sync:5.3.0",
        servers=("mongodb",),
        note=_IN_MEMORY,
    ),
    _java(
        "mysql-connector-j",
        "a query to MySQL",
        package="com.mysql:mysql-connector-j:9.1.0",
        servers=("mysql",),
        note=_MARIADB,
    ),
    _java(
        "netty-epoll",
        "its native transport",
        package="io.netty:netty-transport-native-epoll:4.1.118.Final:linux-x86_64",
        needs=("io.netty:netty-transport-native-epoll:4.1.118.Final:linux-aarch_64",),
    ),
    _java(
        "netty-tcnative",
        "its TLS library",
        package="io.netty:netty-tcnative-boringssl-static:2.0.70.Final",
        needs=("io.netty:netty-handler:4.1.118.Final",),
    ),
    _java("okhttp", "a request", package="com.squareup.okhttp3:okhttp:4.12.0"),
    _java("pdfbox", "writes a PDF with a text", package="org.apache.pdfbox:pdfbox:3.0.4"),
    _java("poi", "writes and reads a workbook in memory", package="org.apache.poi:poi-ooxml:5.4.0"),
    _java("poi-streaming", "streams a workbook", package="org.apache.poi:poi-ooxml:5.4.0"),
    _java("postgresql", "a query to PostgreSQL", package="org.postgresql:postgresql:42.7.5", servers=("database",)),
    _java("protobuf-java", "writes and reads a message", package="com.google.protobuf:protobuf-java:4.29.3"),
    _java("snappy-java", "compresses, in native code", package="org.xerial.snappy:snappy-java:1.1.10.7"),
    _java("spring-context", "a context with a bean", package="org.springframework:spring-context:6.2.2"),
    _java("sqlite-jdbc", "a database in memory, in native code", package="org.xerial:sqlite-jdbc:3.49.1.0"),
    _java("temp-files", "temporary files, by the JDK", package="-", globs=("/tmp/work*.txt",)),
    _java("zstd-jni", "compresses, in native code", package="com.github.luben:zstd-jni:1.5.7-2"),
)
WORKLOADS = (*PYTHON, *NODE, *JAVA)
