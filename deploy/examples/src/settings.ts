// Who this page is for and where its broker is. It refuses to take a token from an address: those
// are kept in histories and logs.

export interface Settings {
  url: string;
  /** Only where the platform sets no cookie. */
  token: string | null;
  language: "de" | "en";
}

const ID = /^[A-Za-z0-9_-]{1,64}$/; // as every id on the wire: a dot would make another subject

/**
 * What `config.json` beside the page says, and for what it leaves out, the page's address; with the
 * ids that the page needs.
 *
 * In this order, so that no link can lead a page with settings of its own somewhere else.
 */
export async function readSettings<Name extends string>(
  ...ids: Name[]
): Promise<Settings & Record<Name, string>> {
  const answer = await fetch("config.json", { cache: "no-store" });
  if (!answer.ok) throw new Error(`config.json: ${answer.status} ${answer.statusText}`);
  const given = (await answer.json()) as { [name: string]: string };
  const address = new URLSearchParams(location.search);
  const named = (name: string) => given[name] ?? address.get(name) ?? "";
  for (const name of ids) {
    if (ID.test(named(name))) continue;
    throw new Error(`${name}: expected an id, in config.json or as ?${name}= in the address`);
  }
  return {
    url: named("url"),
    token: given["token"] ?? null,
    language: (named("language") || navigator.language).startsWith("de") ? "de" : "en",
    ...(Object.fromEntries(ids.map((name) => [name, named(name)])) as Record<Name, string>),
  };
}
