/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the page looks: light, dark, narrow, printed. Every pair of text and ground reaches 4.5:1, every mark 3:1 (WCAG 2.2 AA). */
#include "report/html.h"

static const char colours[] =
	":root{color-scheme:light dark;--ground:#fff;--raised:#f6f7f8;--text:#1c2126;--muted:#57606a;--rule:#d5dade;"
	"--grid:#e1e5e8;--link:#005a94;--pass:#00694b;--fail:#b03a00;--inconclusive:#7a5200;--error:#7a2d5c;"
	"--ok:#009e73;--wrong:#cc79a7;--wrong-edge:#8a3d68;--rcode:#e69f00;--rcode-edge:#7a5200;--timeout:#d55e00;"
	"--oops:#777;--oops-edge:#222;--band:#56b4e9;--fault:#0072b2;--change:#7a4fb5}\n"
	"@media (prefers-color-scheme:dark){:root{--ground:#15181c;--raised:#1d2126;--text:#e4e7ea;--muted:#a2abb4;"
	"--rule:#363d45;--grid:#2a3037;--link:#7cc4f5;--pass:#3fcf9f;--fail:#ff8f4d;--inconclusive:#f0b941;"
	"--error:#e59cc6;--ok:#1fbf90;--wrong:#cc79a7;--wrong-edge:#f0b6d6;--rcode:#e69f00;--rcode-edge:#ffd27a;"
	"--timeout:#ff7a1a;--oops:#999;--oops-edge:#eee;--band:#56b4e9;--fault:#56b4e9;--change:#b79ae8}}\n"
	"@media "
	"print{:root{color-scheme:light;--ground:#fff;--raised:#fff;--text:#000;--muted:#444;--rule:#aaa;--grid:#ddd;"
	"--link:#000;--pass:#00694b;--fail:#b03a00;--inconclusive:#7a5200;--error:#7a2d5c;--ok:#009e73;--wrong:#cc79a7;"
	"--wrong-edge:#8a3d68;--rcode:#e69f00;--rcode-edge:#7a5200;--timeout:#d55e00;--oops:#777;--oops-edge:#222;"
	"--band:#56b4e9;--fault:#0072b2;--change:#7a4fb5}}\n";

static const char page[] =
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:1240px;padding:32px 40px 48px;background:var(--ground);color:var(--text);"
	"font:16px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif;overflow-wrap:break-word}\n"
	"h1{font-size:30px;line-height:1.2;margin:0;font-weight:650;letter-spacing:-.01em}\n"
	"h2,h3{font-size:19px;line-height:1.3;margin:44px 0 12px;font-weight:650}\n"
	"h2.case{font-size:24px;border-top:2px solid var(--rule);padding-top:28px;margin-top:64px}\n"
	"p{margin:0 0 12px;max-width:76ch}\na{color:var(--link)}\n"
	"code,.code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans "
	"Mono\",monospace;font-size:.92em}\n"
	".kicker{color:var(--muted);font-size:14px;margin-bottom:6px}\n"
	".description{color:var(--muted);margin-top:8px}\n"
	".skip,.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}"
	"\n"
	".skip:focus{position:static;width:auto;height:auto;clip-path:none}\n"
	":focus-visible{outline:2px solid var(--link);outline-offset:2px}\n"
	".note,.none,figcaption{color:var(--muted);font-size:14px;margin-top:10px;max-width:100ch}\n"
	".alarm{color:var(--fail)}\n"
	"footer{margin-top:56px;border-top:1px solid var(--rule);padding-top:14px;color:var(--muted);font-size:14px}\n";

static const char head[] =
	".verdict{margin:28px 0 0;border-left:8px solid var(--now);background:var(--raised);padding:18px 24px 16px}\n"
	".verdict h2{margin:0;font-size:44px;line-height:1.1;font-weight:750;letter-spacing:.01em;color:var(--now)}\n"
	".verdict p{margin:8px 0 0;font-size:20px;line-height:1.4}\n"
	".pass{--now:var(--pass)}.fail{--now:var(--fail)}.inconclusive{--now:var(--inconclusive)}.error{--now:var(--"
	"error)}\n"
	".tag{font-size:.62em;font-weight:700;color:var(--now);border:2px solid "
	"var(--now);border-radius:4px;padding:2px 7px;"
	"vertical-align:.18em;letter-spacing:.03em}\n"
	".figures{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,3fr) minmax(0,6fr);gap:0 36px;margin:24px "
	"0 "
	"0}\n"
	".figures div{min-width:0}\ndt{color:var(--muted);font-size:14px}dd{margin:0}\n"
	".figures dd{font-size:14px;color:var(--muted)}\n"
	".figures "
	".big{font-size:32px;line-height:1.25;font-weight:600;color:var(--text);font-variant-numeric:tabular-nums;"
	"white-space:nowrap}\n.figures "
	".seed{font-size:20px;line-height:40px;overflow-wrap:anywhere;white-space:normal}\n.big "
	"small{font-size:.55em;font-weight:400;color:var(--muted)}\n"
	".figures code{display:block;margin-top:8px;padding:8px 12px;background:var(--raised);color:var(--text);"
	"border:1px solid var(--rule);border-radius:4px;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all}\n"
	".figures code span{display:inline-block;max-width:100%}\n"
	".about{display:grid;grid-template-columns:repeat(auto-fill,minmax(240px,1fr));gap:12px "
	"32px;margin:0;font-size:15px}\n";

static const char tables[] =
	".scroll{overflow-x:auto;max-width:100%;position:relative}\n"
	"table{border-collapse:collapse;font-size:14px;line-height:1.4;width:100%}\n"
	"th,td{text-align:left;vertical-align:top;padding:6px 14px 6px 0;border-bottom:1px solid "
	"var(--grid);white-space:nowrap}\n"
	"th:last-child,td:last-child{padding-right:0}\nthead th{color:var(--muted);font-weight:500;border-bottom:1px "
	"solid "
	"var(--rule);vertical-align:bottom}\n"
	"tbody "
	"th{font-weight:600;white-space:normal;min-width:11ch;max-width:440px;overflow-wrap:break-word}"
	"\ntbody+tbody tr:first-child>*{border-top:1px solid var(--rule)}\n"
	".num{text-align:right;font-variant-numeric:tabular-nums}\n.words{white-space:normal;max-width:300px;overflow-"
	"wrap:break-word}\n.strong{font-weight:650}\n"
	".censored{color:var(--fail);font-weight:650}\n"
	".prose{white-space:normal;min-width:220px;max-width:420px;overflow-wrap:anywhere}\n"
	"td.code{font-size:13px;white-space:normal;min-width:110px;overflow-wrap:anywhere}\n"
	".pre code{white-space:pre-wrap;display:block;min-width:240px;font-size:12.5px}\n"
	".verdict-cell{color:var(--now);font-weight:650}\n"
	".matrix .group{text-align:center;border-left:1px solid "
	"var(--rule);border-bottom:0;color:var(--text);font-weight:650}\n"
	".matrix .first{border-left:1px solid var(--rule)}\n.matrix th,.matrix td{padding:8px 16px}\n"
	".matrix th:first-child{padding-left:0}\n"
	"details{margin:0 0 10px}summary{cursor:pointer;padding:4px 0;font-size:15px}\n"
	".notes{padding-left:20px;margin:0}.notes li{margin-bottom:6px}\n"
	"pre{background:var(--raised);color:var(--text);border:1px solid var(--rule);border-radius:4px;padding:10px "
	"12px;"
	"margin:6px 0;max-height:320px;overflow:auto;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere}\n";

static const char pictures[] =
	"figure{margin:0}\n.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 20px;padding:0;margin:0 0 10px;"
	"font-size:14px;color:var(--muted)}\n.legend svg{vertical-align:-3px}\n"
	".timeline{display:block;width:100%;min-width:1000px;height:auto}\n"
	"svg text{fill:var(--text);font-family:inherit}svg .muted{fill:var(--muted)}svg .name,svg "
	".figure{font-weight:650}\n"
	"svg .figure{fill:var(--link)}svg .grid{stroke:var(--grid)}svg .rule{stroke:var(--rule)}svg "
	".zero{stroke:var(--text)}\n"
	"svg .bracket{stroke:var(--link)}svg .planned{stroke:var(--muted)}svg .applied{fill:var(--fault)}"
	"svg .band{fill:var(--band)}svg .idle{stroke:var(--band)}svg .outage{fill:var(--timeout)}svg .stale,svg "
	".step{fill:var(--change)}svg .change,svg .taking{stroke:var(--change)}\n"
	"svg .m-ok{stroke:var(--ok)}svg .m-wrong{stroke:var(--wrong-edge);fill:var(--wrong)}"
	"svg .m-rcode{stroke:var(--rcode-edge);fill:var(--rcode)}svg .m-timeout{stroke:var(--timeout)}"
	"svg .m-error{stroke:var(--oops-edge);fill:var(--oops)}\n";

/* A closed details element still prints: ::details-content is what hides it. */
static const char media[] =
	"@media (max-width:900px){body{padding:20px 16px 32px}h1{font-size:24px}.verdict{padding:14px "
	"16px;border-left-width:6px}"
	".verdict h2{font-size:34px}.verdict p{font-size:17px}.figures{grid-template-columns:minmax(0,1fr);gap:16px}"
	".figures .big{font-size:28px;white-space:normal}tbody "
	"th{position:sticky;left:0;max-width:170px;background:var(--ground)}}\n"
	"@media print{@page{size:A4 "
	"landscape;margin:12mm}body{padding:0;max-width:none;font-size:10pt}.skip{display:none}"
	".scroll{overflow:visible}.timeline{min-width:0}table{font-size:7.5pt}th,td{white-space:normal;padding:3px 8px "
	"3px 0}"
	"td.num{white-space:nowrap}td.code,.pre code,pre{font-size:7pt}.prose,.pre "
	"code,td.code{min-width:0}pre{max-height:none}.verdict{border:1px solid "
	"var(--now);border-left-width:8px}h2,h3{break-after:avoid}tr,.verdict,.figures div,.lane{break-inside:avoid}"
	"details::details-content{content-visibility:visible;display:block}"
	"*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}\n";

void html_style_write(struct buf *out)
{
	buf_puts(out, colours);
	buf_puts(out, page);
	buf_puts(out, head);
	buf_puts(out, tables);
	buf_puts(out, pictures);
	buf_puts(out, media);
}
