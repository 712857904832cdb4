# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Tokenizes and stems a text."""

from nltk.stem import PorterStemmer
from nltk.tokenize import wordpunct_tokenize
from outcome import told


def use():
    return [PorterStemmer().stem(each) for each in wordpunct_tokenize("running dogs")]


handler = told(use)
