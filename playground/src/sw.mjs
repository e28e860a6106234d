// Makes the page work offline: its files are cached when it is first loaded, and then served from the cache.

/* global VERSION, FILES: set by the build */

const CACHE = `wasmlark-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" })))).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = async () => {
    for (const name of await caches.keys()) if (name.startsWith("wasmlark-") && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(old());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const serve = async () => {
    const cache = await caches.open(CACHE);
    const kept = await cache.match(event.request, { ignoreSearch: true });
    if (kept) return kept;
    const response = await fetch(event.request);
    // The modules of examples are cached when they are first used.
    if (response.ok && url.pathname.includes("/modules/")) await cache.put(event.request, response.clone());
    return response;
  };
  event.respondWith(serve());
});
