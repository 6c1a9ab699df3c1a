export { Authenticator } from './authenticate.ts';
export { wantsEarlyContinue } from './nextcloud/early-continue.ts';
export { nextcloudRoutes } from './nextcloud/nextcloud-routes.ts';
export { nextcloudSlice } from './nextcloud/settings.ts';
export { unavailableHandler } from './nextcloud/unavailable.ts';
export { pageRoutes } from './pages/page-routes.ts';
export { davRoutes } from './webdav/dav-routes.ts';
