/* Verifying apart from the page, which stays alive whatever a bundle holds. */

import { nothingFound } from "../verify.js";

const MAX_SECONDS = 60;
const MOST_WORKERS = 4;

/* Workers, at most as many as the machine has processors. */
export class Verifiers {
  #all = Array.from(
    { length: Math.min(MOST_WORKERS, navigator.hardwareConcurrency || 1) }, () => new Verifier());
  #asked = 0;

  /* Return { report, facts } of a Blob: the report of `verifyBundle`, and of a valid bundle what
     it is about. Never fails: what stops a worker is said in the report. */
  verify(blob) {
    const next = this.#all[this.#asked % this.#all.length];
    this.#asked += 1;
    return next.verify(blob);
  }
}

/* One worker, which verifies one bundle after the other. */
class Verifier {
  #worker = null;
  #last = Promise.resolve();

  verify(blob) {
    const result = this.#last.then(() => this.#ask(blob));
    this.#last = result;
    return result;
  }

  #ask(blob) {
    this.#worker ??= new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    const worker = this.#worker;
    return new Promise((resolve) => {
      const stop = (reason) => {
        worker.terminate();
        this.#worker = null;
        resolve({ report: nothingFound(reason), facts: {} });
      };
      const timer = setTimeout(
        () => stop(`it took longer than ${MAX_SECONDS} seconds to check`), MAX_SECONDS * 1000);
      worker.onmessage = ({ data }) => {
        clearTimeout(timer);
        resolve(data);
      };
      worker.onerror = () => {
        clearTimeout(timer);
        stop("the verifier's own scripts did not run in this browser");
      };
      worker.postMessage(blob);
    });
  }
}
