// Installs what the development tools need, then runs one of them: with-tools.cjs tools/check.ts
// This file must parse on any Node, however old, so that it can say which one is needed.
'use strict';

require('./require-node.cjs')();
require('./launch.cjs').runTool(process.argv.slice(2));
