import { testGalera } from './galera-scenario.ts';

testGalera();
