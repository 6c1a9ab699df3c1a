/** The look of all pages. One file, no script, no picture, no font from anywhere. */
import { createHash } from 'node:crypto';

export const STYLESHEET = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f7; --card: #ffffff; --ink: #1b2430; --soft: #566273; --line: #d9dee6;
  --accent: #1d5fa8; --on-accent: #ffffff; --accent-deep: #174c87;
  --danger: #b3261e; --danger-ground: #fdeceb; --good: #1c6b3c; --good-ground: #e8f5ec;
  --field: #ffffff; --code: #eef1f5; --focus: #1d5fa8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161c; --card: #1b212a; --ink: #e6eaf0; --soft: #a3afbf; --line: #323c4a;
    --accent: #7db4f0; --on-accent: #0d1a29; --accent-deep: #a3cbf7;
    --danger: #ff9d94; --danger-ground: #3a1f1e; --good: #8fd6a9; --good-ground: #1a3325;
    --field: #12161c; --code: #262e39; --focus: #7db4f0;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: break-word;
}
.top {
  display: flex; align-items: center; gap: .6rem 1rem; flex-wrap: wrap;
  max-width: 46rem; margin: 0 auto; padding: 1.1rem 1rem .2rem;
}
.brand { display: flex; align-items: center; gap: .55rem; font-weight: 650; font-size: 1.1rem;
  color: inherit; text-decoration: none; }
.brand svg { width: 1.7rem; height: 1.7rem; color: var(--accent); }
.who { margin-left: auto; display: flex; align-items: center; gap: .75rem; color: var(--soft); }
main { max-width: 46rem; margin: 0 auto; padding: .9rem 1rem 3rem; }
body.narrow .top { max-width: 27rem; padding-top: 8vh; }
body.narrow main { max-width: 27rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .8rem;
  padding: 1.4rem 1.5rem; margin: 0 0 1.1rem; }
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
input[type=text], input[type=password] {
  width: 100%; font: inherit; color: inherit; background: var(--field);
  border: 1px solid var(--soft); border-radius: .5rem; padding: .55rem .7rem; min-height: 2.75rem;
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
@media (max-width: 30rem) {
  .card { padding: 1.1rem 1rem; }
  body.narrow .top { padding-top: 1.2rem; }
  .stack { flex-direction: column; align-items: stretch; }
}
@media (forced-colors: active) { button, .card, .copy { border-color: CanvasText; } }
`;

/** Changes with the stylesheet, so that browsers may keep it for good. */
export const STYLESHEET_PATH = '/pages/style.css';
export const STYLESHEET_HREF =
  `${STYLESHEET_PATH}?v=${createHash('sha256').update(STYLESHEET).digest('hex').slice(0, 12)}`;
