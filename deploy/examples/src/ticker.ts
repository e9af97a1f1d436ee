// A worker that ticks. Browsers let the timers of a page in the background fire once a minute, by
// which time a desk would have lapsed; those of a worker go on.

const EVERY_MS = 15_000;

setInterval(() => postMessage(null), EVERY_MS);

export {};
