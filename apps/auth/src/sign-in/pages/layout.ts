export const STYLE = `
:root { color-scheme: light dark; --ink: #1a1c21; --paper: #fff; --ground: #f2f3f5; --line: #767b85; --accent: #1d4ed8; --on-accent: #fff; --bad: #b42318 }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef2; --paper: #1c1f26; --ground: #111318; --line: #8b919d; --accent: #93b4ff; --on-accent: #0b1020; --bad: #ff9b8f } }
* { box-sizing: border-box }
body { margin: 0; overflow-wrap: anywhere; min-height: 100vh; display: grid; place-items: center; padding: 1rem; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 26rem; padding: 2rem; background: var(--paper); border-radius: .75rem }
h1 { margin: 0 0 1rem; font-size: 1.5rem; line-height: 1.25 }
label { display: block; margin: 1rem 0 .25rem; font-weight: 600 }
input { width: 100%; padding: .625rem .75rem; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: .375rem }
input[aria-invalid=true] { border-color: var(--bad) }
button { width: 100%; margin-top: 1.25rem; padding: .75rem; font: inherit; font-weight: 600; border: 1px solid var(--accent); border-radius: .375rem; background: var(--accent); color: var(--on-accent); cursor: pointer }
button.second { margin-top: .75rem; background: transparent; color: inherit; border-color: var(--line) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.error { color: var(--bad); font-weight: 600 }
.code { font: 700 1.75rem/1.5 ui-monospace, monospace; letter-spacing: .1em }
ul { padding-left: 1.25rem }
`;

/** `it.body` is a page that has been rendered, and escaped, already. */
export const LAYOUT = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title><%= it.title %></title>
<style><%~ it.style %></style>
</head>
<body>
<main>
<%~ it.body %>
</main>
</body>
</html>
`;
