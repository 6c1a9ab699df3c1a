/** Styles are files of their own, which the build joins. */
declare module '*.css';
