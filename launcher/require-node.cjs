// Must parse on any Node, however old.
'use strict';

module.exports = function requireNode() {
  var major = Number(process.versions.node.split('.')[0]);
  if (major >= 20) return;
  console.error(
    'Holdfast needs Node 20 or newer to install; this is ' + process.version + '.\n' +
    'Debian 12 and Ubuntu 24.10 or newer: apt-get install nodejs npm\n' +
    'Elsewhere: https://nodejs.org'
  );
  process.exit(69);
};
