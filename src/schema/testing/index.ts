/** The door for tests elsewhere: a change and a shard that only tests have. */
export {
  PERSON_CHANGES, PERSON_CONTRACT, PERSON_EXPAND, PERSON_GOLDENS,
} from './fixture-changes.ts';
export { mariadbFixture } from './mariadb-fixture.ts';
