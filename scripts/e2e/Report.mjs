/** Runs checks one after the other, and counts them. */
export class Report {
  passed = 0;
  failed = 0;

  async check(title, test) {
    const start = performance.now();
    try {
      await test();
      this.passed++;
      console.log(`✓ ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      this.failed++;
      console.log(`✗ ${title}\n${String(error?.stack ?? error).replace(/^/gm, '    ')}`);
    }
  }

  /** The last line, which .ci/run adds up. */
  end() {
    console.log(`\n${this.passed} passed, ${this.failed} failed`);
    process.exit(this.failed === 0 ? 0 : 1);
  }
}

/** Waits until a check passes. */
export async function until(check, milliseconds = 30_000) {
  const end = performance.now() + milliseconds;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
