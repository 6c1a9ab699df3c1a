// `npm start`: installs what is missing, then serves.
// This file must parse on any Node, however old, so that it can say which one is needed.
'use strict';

require('./require-node.cjs')();
require('./launch.cjs').start(process.argv.slice(2));
