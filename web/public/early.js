// Every view needs to know who is signed in. It is asked for at once, while the browser still reads
// the page's script (src/api/http.ts takes the answer).
window.holdfastEarly = fetch('/api/v1/session', {
  credentials: 'same-origin', cache: 'no-store', headers: { Accept: 'application/json' },
});
window.holdfastEarly.catch(() => undefined);
