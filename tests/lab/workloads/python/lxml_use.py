# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Reads XML, transforms it, and reads HTML."""

from lxml import etree, html
from outcome import told

STYLE = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/"><b><xsl:value-of select="//a"/></b></xsl:template></xsl:stylesheet>"""


def use():
    transform = etree.XSLT(etree.fromstring(STYLE))
    return str(transform(etree.fromstring("<r><a>text</a></r>"))), html.fromstring("<p>one<p>two").text_content()


handler = told(use)
