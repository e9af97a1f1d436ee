// What people write. The engine routes conversations and never sees a text: carrying, keeping and
// showing them is what the chat platform does, and this file stands where it would be. It hands
// texts to other pages of the same browser, which remember what they heard until they are closed.

export interface Text {
  conversation_id: string;
  from: string;
  text: string;
}

export class Texts {
  readonly #channel = new BroadcastChannel("fernamt-examples");
  readonly #known = new Map<string, Text[]>();

  constructor(hear: (text: Text) => void) {
    this.#channel.onmessage = ({ data }: MessageEvent<Text>) => {
      this.#keep(data);
      hear(data);
    };
  }

  send(text: Text): void {
    this.#keep(text);
    this.#channel.postMessage(text);
  }

  of(conversation_id: string): Text[] {
    return this.#known.get(conversation_id) ?? [];
  }

  #keep(text: Text): void {
    this.#known.set(text.conversation_id, [...this.of(text.conversation_id), text]);
  }
}
