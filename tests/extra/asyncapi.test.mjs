// The official parser of AsyncAPI reads the document, and finds nothing wrong with it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { Parser } from "@asyncapi/parser";

const text = await readFile(new URL("../../schemas/asyncapi.json", import.meta.url), "utf8");

const WARNING = 1; // 0 is an error; 2 and 3 are advice

/** What the parser found, and what it says about it. */
async function read(source) {
  const { document, diagnostics } = await new Parser().parse(source);
  const complaints = diagnostics
    .filter(({ severity }) => severity <= WARNING)
    .map(({ code, message, path }) => `${path.join(".")}: ${message} (${code})`);
  return { document, complaints };
}

test("the document is valid, and says all it has to say", async () => {
  const { document, complaints } = await read(text);
  assert.deepEqual(complaints, []);
  const plain = JSON.parse(text);
  assert.equal(document.operations().length, Object.keys(plain.operations).length);
  assert.equal(document.channels().length, Object.keys(plain.channels).length);
  for (const operation of document.operations()) {
    for (const message of operation.messages()) {
      assert.ok(message.payload(), `${operation.id()}: ${message.id()} has no payload`);
    }
  }
});

/** A part of the document that is whole by itself: the parser takes seconds for all of it. */
function pageViews() {
  const { channels, operations, components, ...rest } = JSON.parse(text);
  const { inbox, seen, beat } = channels;
  const answers = operations.seen.reply.messages.map(({ $ref }) => $ref.split("/").at(-1));
  const messages = ["seen", "beat", ...answers];
  const schemas = ["PageView", "BeatBody", "SeenAnswer", "NotDone", "Refused", "ErrorCode"];
  return {
    ...rest,
    channels: { inbox: { ...inbox, messages: picked(inbox.messages, answers) }, seen, beat },
    operations: picked(operations, ["seen", "beat"]),
    components: {
      parameters: components.parameters,
      securitySchemes: components.securitySchemes,
      messages: picked(components.messages, messages),
      schemas: picked(components.schemas, [...schemas, "RefusalHeaders"]),
    },
  };
}

const picked = (from, names) => Object.fromEntries(names.map((name) => [name, from[name]]));

test("a part of it is valid, too", async () => {
  const { complaints } = await read(JSON.stringify(pageViews()));
  assert.deepEqual(complaints, []);
});

const spoilt = {
  "an operation without an action": (plain) => delete plain.operations.seen.action,
  "a message that its channel does not have": (plain) => {
    plain.operations.seen.messages = [{ $ref: "#/components/messages/beat" }];
  },
  "a reference that leads nowhere": (plain) => {
    plain.components.messages.seen.payload = { $ref: "#/components/schemas/Nowhere" };
  },
  "a schema that is none": (plain) => {
    plain.components.schemas.PageView.type = "page";
  },
  "a parameter that its subject does not have": (plain) => {
    plain.channels.seen.parameters.stranger = { description: "Not in the subject." };
  },
};

for (const [what, spoil] of Object.entries(spoilt)) {
  test(`the parser notices ${what}`, async () => {
    const plain = pageViews();
    spoil(plain);
    const { complaints } = await read(JSON.stringify(plain));
    assert.notDeepEqual(complaints, []);
  });
}
