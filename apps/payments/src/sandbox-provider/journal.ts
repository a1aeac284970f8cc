import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Change } from './records.js';

/**
 * A file that changes are appended to, a line of JSON each, before anybody is told of them. It
 * outlives `kill -9`: what was written is the kernel's. Power cuts are not what a sandbox is for.
 */
export class Journal {
  private constructor(private readonly file: number) {}

  /**
   * Opens the file, made when missing, and hands each change in it to `replay`. Half a line at its
   * end is what a killed process was about to write and told nobody of: it is cut off.
   */
  static open(path: string, replay: (change: Change) => void): Journal {
    const file = openSync(path, 'a+', 0o600);
    const text = readFileSync(path, 'utf8');
    const whole = text.lastIndexOf('\n') + 1;
    for (const line of text.slice(0, whole).split('\n')) {
      if (line) replay(JSON.parse(line) as Change);
    }
    if (whole < text.length) ftruncateSync(file, Buffer.byteLength(text.slice(0, whole)));
    return new Journal(file);
  }

  append(change: Change): void {
    writeSync(this.file, `${JSON.stringify(change)}\n`);
  }

  close(): void {
    closeSync(this.file);
  }
}
