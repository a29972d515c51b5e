"""An XLSX by hand, also as no decent program writes it: for what may be met in the wild.

	write(path, [Sheet("工单", [["工单编号", "诉求内容"], ["A1", Cell("46174", style=1)]])])
"""
import zipfile
from xml.sax.saxutils import escape, quoteattr

TYPES = ('<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
	 '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
	 '<Default Extension="xml" ContentType="application/xml"/></Types>')
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# 0 general, 1 a date, 2 a date with time in Chinese, 3 a text, 4 an amount whose format has letters in quotes
STYLES = (f'<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="176" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot; h:mm"/>'
	  '<numFmt numFmtId="177" formatCode="0.00&quot;days&quot;"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
	  '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="176"/><xf numFmtId="49"/><xf numFmtId="177"/></cellXfs></styleSheet>')


class Cell:
	"""kind: "" a number as it stands in the file, s shared, str, inlineStr, b, e."""

	def __init__(self, value, kind="", style=0):
		self.value, self.kind, self.style = value, kind, style


class Sheet:
	def __init__(self, name, rows, state="visible", merged=(), first=1):
		self.name, self.rows, self.state, self.merged, self.first = name, rows, state, merged, first


def column(i):
	name = ""
	i += 1
	while i:
		i, rest = divmod(i - 1, 26)
		name = chr(65 + rest) + name
	return name


def cell_xml(value, ref, strings):
	if value is None or value == "":
		return ""
	cell = value if isinstance(value, Cell) else Cell(str(value), "s")
	head = f'<c r="{ref}" s="{cell.style}"' + (f' t="{cell.kind}"' if cell.kind else "")
	if cell.kind == "s":
		return f"{head}><v>{strings.setdefault(cell.value, len(strings))}</v></c>"
	if cell.kind == "inlineStr":
		return f"{head}><is><t>{escape(cell.value)}</t></is></c>"
	return f"{head}><v>{escape(cell.value)}</v></c>"


def sheet_xml(sheet, strings):
	out = [f'<worksheet xmlns="{MAIN}"><sheetData>']
	for n, row in enumerate(sheet.rows, sheet.first):
		out.append(f'<row r="{n}">' + "".join(cell_xml(v, f"{column(i)}{n}", strings) for i, v in enumerate(row)) + "</row>")
	out.append("</sheetData>")
	if sheet.merged:
		out.append("<mergeCells>" + "".join(f'<mergeCell ref="{m}"/>' for m in sheet.merged) + "</mergeCells>")
	out.append("</worksheet>")
	return "".join(out)


def write(path, sheets, date1904=False, replace=None, leave_out=()):
	"""replace: {part: bytes} instead of what would stand there."""
	strings = {}
	parts = {"[Content_Types].xml": TYPES, "xl/styles.xml": STYLES}
	for i, sheet in enumerate(sheets, 1):
		parts[f"xl/worksheets/sheet{i}.xml"] = sheet_xml(sheet, strings)
	parts["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">' + "".join(
		f'<si><r><t>{escape(s[:1])}</t></r><r><t xml:space="preserve">{escape(s[1:])}</t></r><rPh sb="0" eb="1"><t>yin</t></rPh></si>'
		for s in strings) + "</sst>"
	parts["xl/workbook.xml"] = (f'<workbook xmlns="{MAIN}" xmlns:r="{REL}"><workbookPr date1904="{int(date1904)}"/><sheets>' + "".join(
		f'<sheet name={quoteattr(s.name)} sheetId="{i}" state="{s.state}" r:id="rId{i}"/>' for i, s in enumerate(sheets, 1)) +
		"</sheets></workbook>")
	parts["xl/_rels/workbook.xml.rels"] = "<Relationships>" + "".join(
		f'<Relationship Id="rId{i}" Target="worksheets/sheet{i}.xml"/>' for i in range(1, len(sheets) + 1)) + "</Relationships>"
	parts.update(replace or {})
	with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
		for name, text in parts.items():
			if name not in leave_out:
				z.writestr(name, text)
	return path
