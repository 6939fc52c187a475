/** A failure that can be told in words. */
export class Failure extends Error {
  /**
   * @param {string} code of the gateway's problem, or unreachable, cancelled, expired, no_file
   * @param {string} [message] the gateway's own words
   * @param {number} [wait] seconds to wait
   */
  constructor(code, message = "", wait = 0) {
    super(message);
    this.code = code;
    this.wait = wait;
  }
}
