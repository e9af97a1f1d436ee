// The sound of an alert: two short tones, made here. Browsers are silent until somebody has touched
// the page, so a page that was opened by itself rings for the eye alone until then.

const TONES_HZ = [660, 880];
const TONE_S = 0.16;

export class Bell {
  readonly #audio = new AudioContext();

  constructor() {
    for (const touch of ["pointerdown", "keydown"]) {
      addEventListener(touch, () => void this.#audio.resume());
    }
  }

  ring(): void {
    if (this.#audio.state !== "running") return;
    TONES_HZ.forEach((hertz, number) => this.#tone(hertz, this.#audio.currentTime + number * TONE_S));
  }

  #tone(hertz: number, start: number): void {
    const loudness = new GainNode(this.#audio, { gain: 0 });
    const tone = new OscillatorNode(this.#audio, { frequency: hertz });
    tone.connect(loudness).connect(this.#audio.destination);
    loudness.gain.setValueAtTime(0.15, start);
    loudness.gain.exponentialRampToValueAtTime(0.001, start + TONE_S);
    tone.start(start);
    tone.stop(start + TONE_S);
  }
}
