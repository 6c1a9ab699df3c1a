/** The look of all pages. One file, no script, no picture, no font from anywhere. */
import { createHash } from 'node:crypto';

export const STYLESHEET = `
:root {
  color-scheme: light dark;
  --ground: #f4f7f7; --card: #ffffff; --ink: #14211f; --soft: #50605f; --line: #dfe7e7;
  --edge: #c3cfcf; --hover: #eff4f4; --faint: #5f6f6e;
  --accent: #0b6e6e; --on-accent: #ffffff; --accent-deep: #085c5c; --accent-ground: #e1f2f1;
  --danger: #b3261e; --danger-ground: #fcebea; --good: #1b6b41; --good-ground: #e4f3ea;
  --field: #ffffff; --code: #eaf0f0; --focus: #0b6e6e;
  --folder: #2a9d97; --image: #a14f9e; --media: #c2542d; --document: #3a6bc4;
  --archive: #8a6a1f; --source: #4d6b3c;
  --shadow: 0 1px 2px rgb(16 40 38 / 5%), 0 8px 24px rgb(16 40 38 / 6%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1516; --card: #151d1e; --ink: #e4ecec; --soft: #a5b5b4; --line: #253132;
    --edge: #3b4b4c; --hover: #1b2526; --faint: #93a4a3;
    --accent: #4cc3bc; --on-accent: #06201f; --accent-deep: #6fd2cc; --accent-ground: #12302f;
    --danger: #ff9d94; --danger-ground: #3a1f1e; --good: #86d3a6; --good-ground: #16301f;
    --field: #0f1516; --code: #1c2627; --focus: #4cc3bc;
    --folder: #4cc3bc; --image: #d491d1; --media: #f0946f; --document: #8cb0f2;
    --archive: #d9b96a; --source: #a5c78f;
    --shadow: 0 1px 2px rgb(0 0 0 / 40%);
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 ui-sans-serif, system-ui, -apple-system, "Segoe UI Variable Text", "Segoe UI",
    Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif, "Noto Color Emoji";
  overflow-wrap: break-word;
}
.top {
  display: flex; align-items: center; gap: .6rem 1rem; flex-wrap: wrap;
  max-width: 46rem; margin: 0 auto; padding: 1.1rem 1rem .2rem;
}
.brand { display: flex; align-items: center; gap: .55rem; font-weight: 650; font-size: 1.1rem;
  color: inherit; text-decoration: none; }
.brand svg { width: 1.85rem; height: 1.85rem; stroke: var(--on-accent); }
.brand .ground { fill: var(--accent); stroke: none; }
.who { margin-left: auto; display: flex; align-items: center; gap: .75rem; color: var(--soft); }
main { max-width: 46rem; margin: 0 auto; padding: .9rem 1rem 3rem; }
body.narrow .top { max-width: 27rem; padding-top: 8vh; }
body.narrow main { max-width: 27rem; }
body.wide .top, body.wide main { max-width: 60rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 1rem;
  box-shadow: var(--shadow);
  padding: 1.4rem 1.5rem; margin: 0 0 1.1rem; }
h1, h2 { font-weight: 640; letter-spacing: -.011em; text-wrap: balance; }
h1 { font-size: 1.45rem; line-height: 1.25; margin: 0 0 .6rem; }
h2 { font-size: 1.12rem; line-height: 1.3; margin: 0 0 .5rem; }
p { margin: 0 0 .8rem; }
.card > h2:not(:first-child) { margin-top: 1.6rem; }
.card > :last-child, .card form > :last-child { margin-bottom: 0; }
.soft { color: var(--soft); }
.small { font-size: .9rem; }
label { display: block; font-weight: 600; margin: 0 0 .25rem; }
.hint { color: var(--soft); font-size: .88rem; margin: .25rem 0 0; }
.field { margin: 0 0 1rem; }
.field p { margin: .5rem 0 0; }
input[type=text], input[type=password] {
  width: 100%; font: inherit; color: inherit; background: var(--field);
  border: 1px solid var(--faint); border-radius: .55rem; padding: .55rem .7rem; min-height: 2.75rem;
}
button, .button {
  font: inherit; font-weight: 600; border-radius: .5rem; border: 1px solid transparent;
  background: var(--accent); color: var(--on-accent); padding: .5rem 1.1rem; min-height: 2.75rem;
  cursor: pointer; display: inline-block; text-decoration: none;
}
button:hover, .button:hover { background: var(--accent-deep); }
button.quiet { background: transparent; color: var(--accent); border-color: var(--line); }
button.quiet:hover { border-color: var(--accent); }
button.danger { background: transparent; color: var(--danger); border-color: var(--line); }
button.danger:hover { border-color: var(--danger); }
button.slim { min-height: 2.2rem; padding: .2rem .8rem; font-size: .92rem; }
.wide { width: 100%; }
.row { display: flex; gap: .7rem; flex-wrap: wrap; align-items: center; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
a { color: var(--accent); }
code, .copy {
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: .93em; background: var(--code); border-radius: .35rem; padding: .1rem .35rem;
}
.copy { display: block; padding: .65rem .8rem; margin: 0 0 .8rem; user-select: all;
  -webkit-user-select: all; overflow-wrap: anywhere; border: 1px solid var(--line); }
.secret { font-size: 1.15rem; letter-spacing: .02em; }
.note { border-radius: .6rem; padding: .7rem .9rem; margin: 0 0 1rem; }
.note.bad { background: var(--danger-ground); color: var(--danger); }
.note.good { background: var(--good-ground); color: var(--good); }
.device { display: block; font-size: 1.15rem; font-weight: 650; margin: 0 0 .8rem;
  padding: .7rem .9rem; border: 1px solid var(--line); border-radius: .6rem;
  overflow-wrap: anywhere; }
ul.list { list-style: none; margin: 0; padding: 0; }
ul.list li { display: flex; gap: .4rem 1rem; align-items: center; padding: .7rem 0;
  border-top: 1px solid var(--line); }
ul.list li:first-child { border-top: 0; padding-top: .2rem; }
ul.list .what { flex: 1; min-width: 0; overflow-wrap: anywhere; }
ul.list form { flex: none; }
details { border-top: 1px solid var(--line); padding: .7rem 0; }
details > summary { cursor: pointer; font-weight: 600; }
details > :nth-child(2) { margin-top: .6rem; }
details ol { margin: 0 0 .8rem; padding-left: 1.3rem; }
.card > details:last-child, ul.list li:last-child { padding-bottom: 0; }
meter { width: 100%; height: 1rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.sprite { display: none; }
.icon { width: 1.25rem; height: 1.25rem; flex: none; fill: none; stroke: currentColor;
  stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
.kind-folder, .kind-file, .kind-image, .kind-video, .kind-audio, .kind-document, .kind-archive,
.kind-code, .kind-pdf { fill: currentColor; fill-opacity: .16; color: var(--faint); }
.kind-folder { color: var(--folder); }
.kind-image { color: var(--image); }
.kind-video, .kind-audio { color: var(--media); }
.kind-document { color: var(--document); }
.kind-archive { color: var(--archive); }
.kind-code { color: var(--source); }
.kind-pdf { color: var(--danger); }
.button .icon { margin: 0 .45rem 0 -.2rem; vertical-align: -.28rem; }
.centered { text-align: center; }
.centered form { text-align: left; margin-top: 1.2rem; }
.emblem { display: grid; place-items: center; width: 4rem; height: 4rem; margin: .4rem auto 1rem;
  border-radius: 1.3rem; background: var(--accent-ground); color: var(--accent); }
.emblem .icon { width: 1.9rem; height: 1.9rem; stroke-width: 1.5; }
.crumbs ol { list-style: none; display: flex; flex-wrap: wrap; align-items: center; padding: 0;
  margin: 0 0 .8rem; font-size: .95rem; }
.crumbs li { display: flex; align-items: center; min-width: 0; overflow-wrap: anywhere; }
.crumbs a { color: var(--soft); text-decoration: none; padding: .15rem .35rem;
  border-radius: .4rem; }
.crumbs a:hover { background: var(--hover); color: var(--ink); }
.crumbs li:first-child a { margin-left: -.35rem; }
.crumbs span { padding: .15rem .35rem; }
.crumbs .icon { width: 1rem; height: 1rem; color: var(--faint); }
.headline { display: flex; align-items: center; gap: .8rem 1.2rem; flex-wrap: wrap;
  margin: 0 0 1rem; }
.headline .what { display: flex; align-items: center; gap: .8rem; flex: 1; min-width: 12rem; }
.headline .what > .icon { width: 2.2rem; height: 2.2rem; stroke-width: 1.4; }
.headline h1, .headline p { margin: 0; overflow-wrap: anywhere; }
.words { border-left: 3px solid var(--accent); padding: .1rem 0 .1rem .9rem; }
.note.plain { background: var(--code); color: var(--soft); }
table.entries { width: 100%; border-collapse: collapse; table-layout: fixed; }
.entries th { text-align: left; font-weight: 550; font-size: .85rem; color: var(--soft);
  padding: .3rem .5rem; border-bottom: 1px solid var(--line); }
.entries td { padding: .45rem .5rem; border-bottom: 1px solid var(--line); height: 3rem; }
.entries tbody tr:last-child td { border-bottom: 0; }
.entries tbody tr:hover { background: var(--hover); }
.entries .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.entries .name .icon { width: 1.45rem; height: 1.45rem; stroke-width: 1.5; margin-right: .75rem;
  vertical-align: -.4rem; }
.entries .name a { color: inherit; text-decoration: none; font-weight: 480; padding: .5rem 0; }
.entries .name a:hover { text-decoration: underline; text-underline-offset: 3px; }
.entries .time { width: 9rem; }
.entries .size { width: 6.5rem; text-align: right; }
.entries td.time, .entries td.size { color: var(--soft); font-size: .9rem; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.entries .act { width: 3.4rem; text-align: right; }
.entries .act a { display: inline-grid; place-items: center; width: 2.2rem; height: 2.2rem;
  border-radius: .5rem; color: var(--soft); }
.entries .act a:hover { background: var(--accent-ground); color: var(--accent); }
.pages { margin-top: 1rem; }
.nothing { text-align: center; color: var(--soft); padding: 2.2rem 1rem; }
.nothing .icon { width: 3.2rem; height: 3.2rem; stroke-width: 1.1; }
.preview { background: var(--ground); border: 1px solid var(--line); border-radius: .7rem;
  overflow: hidden; display: grid; align-items: center; justify-items: center; min-height: 9rem; }
.preview img, .preview video { display: block; max-width: 100%; max-height: 78vh; margin: 0 auto; }
.preview video { background: #000; }
.preview audio { width: min(32rem, 90%); margin: 2.4rem 0; }
.paper { display: block; width: 100%; height: 78vh; border: 0; background: #fff; }
pre.text { margin: 0 0 .6rem; padding: 1.1rem 1.3rem; background: var(--ground); overflow-x: auto;
  border: 1px solid var(--line); border-radius: .7rem; white-space: pre-wrap;
  overflow-wrap: anywhere;
  font: .9rem/1.6 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.zone { position: relative; margin: 0 0 1rem; }
.zone label { position: absolute; inset: 2.2rem 1rem auto; display: flex; flex-direction: column;
  align-items: center; gap: .15rem; pointer-events: none; margin: 0; font-weight: 400; }
.zone label strong { font-weight: 620; font-size: 1.1rem; }
.zone .icon { width: 2.6rem; height: 2.6rem; stroke-width: 1.3; color: var(--accent); }
.zone input { display: block; width: 100%; padding: 9.4rem 1rem 2.2rem;
  padding-left: max(1rem, calc(50% - 8.4rem)); font: inherit;
  font-size: .95rem; color: var(--soft); cursor: pointer; border-radius: 1rem;
  border: 2px dashed var(--edge); background: var(--ground); }
.zone input:hover, .zone input:focus-visible { border-color: var(--accent);
  background: var(--accent-ground); }
.zone input::file-selector-button { font: inherit; font-weight: 560; color: var(--accent);
  background: var(--card); border: 1px solid var(--edge); border-radius: .5rem; cursor: pointer;
  padding: .35rem .9rem; margin-right: .9rem; }
.arrived { list-style: none; margin: 0; padding: 0; }
.arrived li { display: flex; align-items: baseline; gap: .6rem; padding: .2rem 0;
  overflow-wrap: anywhere; }
.arrived .icon { width: 1.05rem; height: 1.05rem; align-self: center; }
.note p { margin: 0 0 .3rem; }
@media (max-width: 30rem) {
  .card { padding: 1.1rem 1rem; }
  body.narrow .top { padding-top: 1.2rem; }
  .stack { flex-direction: column; align-items: stretch; }
}
@media (max-width: 42rem) {
  body.wide main { padding: .7rem .6rem 3rem; }
  .entries .time { display: none; }
  .entries .size { width: 5.8rem; }
  .headline .button { width: 100%; text-align: center; }
  .paper { height: 60vh; }
}
@media (forced-colors: active) { button, .card, .copy { border-color: CanvasText; } }
`;

/** Changes with the stylesheet, so that browsers may keep it for good. */
export const STYLESHEET_PATH = '/pages/style.css';
export const STYLESHEET_HREF =
  `${STYLESHEET_PATH}?v=${createHash('sha256').update(STYLESHEET).digest('hex').slice(0, 12)}`;
