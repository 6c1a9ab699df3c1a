/**
 * The tables of DATA/identity.db, format 5. Times are milliseconds since 1970 UTC, flags 0 or 1,
 * hashes lower-case hexadecimal. Only SQL that MariaDB understands too.
 */

/** Kept as `PRAGMA user_version`. A file with a larger number was written by a newer Holdfast. */
export const IDENTITY_FORMAT = 5;
/** Kept as `PRAGMA application_id`: "HFid". Tells our file from any other SQLite database. */
export const IDENTITY_APPLICATION_ID = 0x48466964;

/** The default tenant is always there; when it was made is not known. */
const TENANT_TABLE = `
CREATE TABLE tenants (
  id         VARCHAR(32)  NOT NULL PRIMARY KEY,
  title      VARCHAR(255) NOT NULL,
  policy     VARCHAR(32)  NOT NULL,
  created_at BIGINT       NOT NULL
);
INSERT INTO tenants (id, title, policy, created_at) VALUES ('default', 'default', 'default', 0);
`;

/** Memberships that have ended. One may come back and end again. */
const PAST_TABLE = `
CREATE TABLE past_memberships (
  user_id   VARCHAR(64) NOT NULL,
  group_id  VARCHAR(64) NOT NULL,
  joined_at BIGINT      NOT NULL,
  left_at   BIGINT      NOT NULL
);
CREATE INDEX past_memberships_by_user ON past_memberships (user_id, left_at);
`;

/** A removed group stays, marked as such: its id is never given out again. `joined_at` is 0 where
 *  it was not noted. */
const GROUP_TABLES = `
CREATE TABLE user_groups (
  id           VARCHAR(64)  NOT NULL PRIMARY KEY,
  display_name VARCHAR(255) NOT NULL,
  created_at   BIGINT       NOT NULL,
  is_removed   SMALLINT     NOT NULL,
  tenant       VARCHAR(32)  NOT NULL DEFAULT 'default'
);

CREATE TABLE memberships (
  group_id  VARCHAR(64) NOT NULL,
  user_id   VARCHAR(64) NOT NULL,
  joined_at BIGINT      NOT NULL DEFAULT 0,
  PRIMARY KEY (group_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id, group_id);
`;

/** One of each user at most. `is_on` 0: it is being set up. `secret` is sealed. */
const SECOND_FACTOR_TABLES = `
CREATE TABLE second_factors (
  user_id   VARCHAR(64)  NOT NULL PRIMARY KEY,
  secret    VARCHAR(255) NOT NULL,
  is_on     SMALLINT     NOT NULL,
  last_step BIGINT       NOT NULL,
  since     BIGINT       NOT NULL
);
CREATE TABLE recovery_codes (
  user_id   VARCHAR(64) NOT NULL,
  code_hash CHAR(64)    NOT NULL,
  PRIMARY KEY (user_id, code_hash)
);
`;

/** What MariaDB has as well: without them a page of a tenant's people is looked for among all. They
 *  came later than format 5, and that did not become another: whoever knows nothing of them loses
 *  nothing by them. */
export const IDENTITY_INDEXES = `
CREATE INDEX IF NOT EXISTS users_by_tenant ON users (tenant, id);
CREATE INDEX IF NOT EXISTS users_by_admin ON users (is_admin, is_disabled);
CREATE INDEX IF NOT EXISTS user_groups_by_tenant ON user_groups (tenant, id);
CREATE INDEX IF NOT EXISTS login_flows_by_expiry ON login_flows (expires_at);
`;

export const IDENTITY_SCHEMA = `
CREATE TABLE users (
  id            VARCHAR(64)   NOT NULL PRIMARY KEY,
  tenant        VARCHAR(64)   NOT NULL,
  display_name  VARCHAR(255)  NOT NULL,
  is_admin      SMALLINT      NOT NULL,
  is_disabled   SMALLINT      NOT NULL,
  password_hash VARCHAR(255),
  created_at    BIGINT        NOT NULL,
  rev           BIGINT        NOT NULL,
  groups_rev    BIGINT        NOT NULL DEFAULT 0,
  email         VARCHAR(255),
  has_second_factor SMALLINT  NOT NULL DEFAULT 0
);

CREATE TABLE tokens (
  token_hash CHAR(64)     NOT NULL PRIMARY KEY,
  id         VARCHAR(32)  NOT NULL,
  kind       VARCHAR(16)  NOT NULL,
  user_id    VARCHAR(64)  NOT NULL,
  device     VARCHAR(255) NOT NULL,
  created_at BIGINT       NOT NULL,
  used_at    BIGINT,
  expires_at BIGINT,
  scopes     VARCHAR(255)
);
CREATE INDEX tokens_by_user ON tokens (user_id, kind);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

CREATE TABLE setup_links (
  link_hash  CHAR(64) NOT NULL PRIMARY KEY,
  expires_at BIGINT   NOT NULL
);

CREATE TABLE login_flows (
  poll_hash  CHAR(64)     NOT NULL PRIMARY KEY,
  flow_hash  CHAR(64)     NOT NULL UNIQUE,
  device     VARCHAR(255) NOT NULL,
  user_id    VARCHAR(64),
  created_at BIGINT       NOT NULL,
  expires_at BIGINT       NOT NULL
);
CREATE INDEX login_flows_by_age ON login_flows (created_at);
CREATE INDEX login_flows_by_user ON login_flows (user_id);
${GROUP_TABLES}${TENANT_TABLE}${PAST_TABLE}${SECOND_FACTOR_TABLES}${IDENTITY_INDEXES}`;

/** From format 1, where there were no groups. */
const FROM_FORMAT_1 = `
ALTER TABLE users ADD COLUMN groups_rev BIGINT NOT NULL DEFAULT 0;

CREATE TABLE user_groups (
  id           VARCHAR(64)  NOT NULL PRIMARY KEY,
  display_name VARCHAR(255) NOT NULL,
  created_at   BIGINT       NOT NULL,
  is_removed   SMALLINT     NOT NULL
);

CREATE TABLE memberships (
  group_id VARCHAR(64) NOT NULL,
  user_id  VARCHAR(64) NOT NULL,
  PRIMARY KEY (group_id, user_id)
);
CREATE INDEX memberships_by_user ON memberships (user_id, group_id);
`;

/** From format 2, where there was one tenant, no mail address and no past of groups. */
const FROM_FORMAT_2 = `
ALTER TABLE users ADD COLUMN email VARCHAR(255);
ALTER TABLE user_groups ADD COLUMN tenant VARCHAR(32) NOT NULL DEFAULT 'default';
ALTER TABLE memberships ADD COLUMN joined_at BIGINT NOT NULL DEFAULT 0;
${TENANT_TABLE}${PAST_TABLE}`;

/** From format 3, where no token was bound to scopes. */
const FROM_FORMAT_3 = `
ALTER TABLE tokens ADD COLUMN scopes VARCHAR(255);
`;

/** From format 4, where the password was all that signed in. */
const FROM_FORMAT_4 = `
${SECOND_FACTOR_TABLES}
ALTER TABLE users ADD COLUMN has_second_factor SMALLINT NOT NULL DEFAULT 0;
`;

/** `IDENTITY_STEPS[n - 1]` makes format n + 1 of format n. */
export const IDENTITY_STEPS: readonly string[] = [
  FROM_FORMAT_1, FROM_FORMAT_2, FROM_FORMAT_3, FROM_FORMAT_4,
];
