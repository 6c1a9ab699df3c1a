export const ACCOUNT_TEXTS = {
  'signIn.title': 'Sign in',
  'signIn.lead': 'Your files, on a server that you can trust.',
  'signIn.user': 'User name',
  'signIn.password': 'Password',
  'signIn.submit': 'Sign in',
  'signIn.wrong': 'The user name or the password is not right.',
  'signIn.ended': 'Your session has ended. Sign in to go on; uploads wait for you.',
} as const;
