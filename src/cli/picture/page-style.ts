/** The page's style: light and dark by what the reader's system prefers, or by the button. */
export const PAGE_STYLE = `
:root { color-scheme: light; --paper: #f5f6fa; --card: #ffffff; --edge: #dfe3ec; --text: #1b2333; --soft: #647089;
  --out: #0b7a75; --in: #b3541e; --yes: #19733a; --no: #b3261e; --hold: #5b3fd6; --shadow: 0 1px 2px #1b233314, 0 4px 14px #1b23330d;
  --cell: #e9ecf3; --some: #7fb8d8; --all: #1f5f8b; --self: #d3d8e3; --tint: 92%; --ink: 30%; }
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { color-scheme: dark; --paper: #10141d; --card: #181e2a; --edge: #2a3343;
  --text: #e6eaf3; --soft: #95a1b8; --out: #4fd1c5; --in: #f6ad6f; --yes: #68d391; --no: #fc8181; --hold: #b7a4ff; --shadow: 0 1px 2px #0006;
  --cell: #1c2331; --some: #2f6f94; --all: #7cc7f0; --self: #2f394b; --tint: 17%; --ink: 80%; } }
:root[data-theme="dark"] { color-scheme: dark; --paper: #10141d; --card: #181e2a; --edge: #2a3343;
  --text: #e6eaf3; --soft: #95a1b8; --out: #4fd1c5; --in: #f6ad6f; --yes: #68d391; --no: #fc8181; --hold: #b7a4ff; --shadow: 0 1px 2px #0006;
  --cell: #1c2331; --some: #2f6f94; --all: #7cc7f0; --self: #2f394b; --tint: 17%; --ink: 80%; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html, body { height: 100%; margin: 0; }
body { display: grid; grid-template-rows: auto 1fr; background: var(--paper); color: var(--text); font: 14px/1.45 system-ui, sans-serif; }
button, input, select { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--hold); outline-offset: 1px; }
header { display: flex; flex-wrap: wrap; gap: 8px 10px; align-items: center; padding: 10px 16px; background: var(--card); border-bottom: 1px solid var(--edge); }
header h1 { font-size: 15px; margin: 0 6px 0 0; font-weight: 650; }
header input, header select, header button { padding: 4px 9px; font-size: 13px; border: 1px solid var(--edge); border-radius: 8px; background: var(--paper); }
header input { width: 190px; }
header #port { width: 110px; }
header select { max-width: 150px; }
#counts { margin: 0 0 14px; color: var(--soft); font-size: 12.5px; font-variant-numeric: tabular-nums; }
.views { display: flex; }
.views button { border-radius: 0; margin-left: -1px; }
.views button:first-child { border-radius: 8px 0 0 8px; }
.views button:last-child { border-radius: 0 8px 8px 0; }
.views button[aria-pressed="true"] { background: var(--text); color: var(--card); border-color: var(--text); }
main { display: grid; grid-template-columns: minmax(0, 1fr) 320px; min-height: 0; }
.stage { position: relative; overflow: auto; padding: 16px; }
#flow, #map { position: relative; }
#flow { min-height: 100%; }
.columns { display: flex; gap: 4em; font-size: 13px; width: max-content; min-width: 100%; justify-content: space-between; min-height: calc(100vh - 90px); }
.column { display: flex; flex-direction: column; gap: .9em; justify-content: space-evenly; align-items: flex-start; max-height: 1100px; }
.boxes { position: relative; columns: 330px; column-gap: 14px; }
.lines { position: absolute; inset: 0; pointer-events: none; overflow: visible; z-index: 1; }
path.line { fill: none; stroke: var(--soft); stroke-width: 1.2; opacity: .5; }
path.line.faint { opacity: .2; }
.head { fill: var(--soft); opacity: .6; } .head.faint { opacity: .2; } .head.out { fill: var(--out); opacity: 1; } .head.in { fill: var(--in); opacity: 1; }
.touch { fill: none; stroke: transparent; stroke-width: 9; pointer-events: stroke; }
.label { fill: var(--text); font-size: 11px; text-anchor: middle; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
path.line.out { stroke: var(--out); stroke-width: 1.5; opacity: .85; }
path.line.in { stroke: var(--in); stroke-width: 1.5; opacity: .85; stroke-dasharray: 5 3; }
.box { break-inside: avoid; margin: 0 0 14px; padding: 10px 12px 12px; border: 1px solid var(--edge); border-top: 3px solid hsl(var(--hue) 55% 55%); border-radius: 10px; background: var(--card); box-shadow: var(--shadow); }
.box h2 { display: flex; gap: 8px; margin: 0 0 8px; font-size: 13px; font-weight: 650; color: hsl(var(--hue) 45% var(--ink)); }
.box h2 small { color: var(--soft); font-weight: 400; }
.pills { display: flex; flex-wrap: wrap; gap: 6px; }
.dense .pills { gap: 4px; }
.dense .pill { padding: 1px 8px 1px 3px; font-size: 12px; }
.dense .count { display: none; }
.pill { position: relative; z-index: 2; display: inline-flex; gap: 6px; align-items: center; max-width: 260px; padding: 3px 9px 3px 4px; border: 1px solid var(--edge); border-radius: 99px; background: var(--card); transition: opacity .12s; }
.pill .name small { display: block; color: var(--soft); font-size: .82em; line-height: 1.2; text-align: left; }
.columns .pill { font-size: 1em; border-radius: 10px; padding: .35em .8em .35em .5em; max-width: 22em; border-left: 3px solid hsl(var(--hue) 55% 55%); }
.pill .name { overflow: hidden; text-align: left; text-overflow: ellipsis; white-space: nowrap; }
.pill .badge { min-width: 2.1em; padding: 0 .4em; border-radius: 99px; background: hsl(var(--hue) 55% var(--tint)); color: hsl(var(--hue) 45% var(--ink)); font-size: .8em; font-weight: 650; text-align: center; line-height: 1.8; }
.pill .count { color: var(--soft); font-size: .8em; white-space: nowrap; font-variant-numeric: tabular-nums; }
.pill.beside { border-style: dashed; color: var(--soft); }
.lit .pill { opacity: .3; }
.lit .pill.self, .lit .pill.out, .lit .pill.in { opacity: 1; }
.pill.self { border-color: var(--hold); box-shadow: 0 0 0 2px var(--hold); }
.pill.out { border-color: var(--out); box-shadow: 0 0 0 1px var(--out); }
.pill.in { border-color: var(--in); box-shadow: 0 0 0 1px var(--in); }
.pill.out.in { border-color: var(--out); box-shadow: 0 0 0 1px var(--out), 0 0 0 3px var(--in); }
aside { overflow: auto; padding: 14px 16px 30px; border-left: 1px solid var(--edge); background: var(--card); }
aside h2 { margin: 18px 0 6px; font-size: 12px; font-weight: 650; color: var(--soft); }
aside h2:first-child { margin-top: 0; }
aside h2.subject { font-size: 15px; color: var(--text); overflow-wrap: anywhere; }
aside h2.out b { color: var(--out); } aside h2.in b { color: var(--in); }
.row { display: flex; gap: 10px; width: 100%; padding: 4px 6px; border: 0; border-radius: 6px; background: none; text-align: left; }
.row:hover { background: var(--paper); }
.row .name { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.row .name small, .subject small { display: block; color: var(--soft); font-size: 11.5px; font-weight: 400; line-height: 1.25; }
.row .ports, td.ports { color: var(--soft); font-variant-numeric: tabular-nums; }
.row .ports { max-width: 50%; text-align: right; font-size: 12.5px; }
.facts { display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; margin: 0; font-size: 13px; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; overflow-wrap: anywhere; }
.hint, .more, .legend { color: var(--soft); font-size: 13px; }
.dot { display: inline-block; width: 10px; height: 10px; margin: 0 5px 0 10px; border-radius: 99px; border: 2px solid var(--out); }
.legend .dot:first-child { margin-left: 0; }
.dot.in { border-color: var(--in); } .dot.both { border-color: var(--out); box-shadow: 0 0 0 2px var(--in); }
table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--edge); border-radius: 10px; }
th, td { padding: 6px 12px; text-align: left; border-bottom: 1px solid var(--edge); overflow-wrap: anywhere; }
th { position: sticky; top: -16px; background: var(--card); font-weight: 650; }
tbody tr:hover { background: var(--paper); }
#tip { position: fixed; z-index: 9; width: max-content; max-width: min(560px, 90vw); max-height: 80vh; overflow: hidden; padding: 12px 14px; border: 1px solid var(--edge); border-radius: 10px; background: var(--card); box-shadow: 0 8px 30px #0004; pointer-events: none; }
#tip .pair + .pair { margin-top: 12px; padding-top: 12px; border-top: 1px solid var(--edge); }
#tip h3 { margin: 0 0 8px; font-size: 13px; overflow-wrap: anywhere; }
#tip .arrow { color: var(--soft); }
.part { margin: 0 0 8px; padding: 6px 10px; border-left: 3px solid var(--no); background: var(--paper); border-radius: 0 6px 6px 0; font-size: 12.5px; }
.part.yes { border-color: var(--yes); }
.part p { margin: 0 0 2px; font-weight: 650; color: var(--no); } .part p.beside { font-weight: 400; } .part.yes p { color: var(--yes); }
.door { display: grid; grid-template-columns: minmax(80px, auto) 1fr; gap: 0 10px; }
.door .title { grid-row: span 20; color: var(--soft); } .door .line { grid-column: 2; overflow-wrap: anywhere; }
.door.no .line { color: var(--no); }
@media (max-width: 900px) { main { grid-template-columns: 1fr; grid-template-rows: 1fr 40%; } aside { border-left: 0; border-top: 1px solid var(--edge); } }
`;
