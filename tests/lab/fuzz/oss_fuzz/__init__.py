"""The fuzz targets as a project of OSS-Fuzz: https://google.github.io/oss-fuzz/getting-started/new-project-guide/."""
