import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter';

/** Prints each test as it ends, why it failed, and at the end "N passed, N failed". */
export default class ClosingLine implements Reporter {
  private passed = 0;
  private failed = 0;

  onTestEnd(test: TestCase, result: TestResult) {
    const ok = result.status === 'passed';
    if (ok) this.passed++;
    else this.failed++;
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${test.titlePath().filter(Boolean).join(' > ')}`);
    for (const e of ok ? [] : result.errors) console.log(e.message ?? e.value);
  }

  onStdOut(chunk: string | Buffer) {
    process.stdout.write(chunk);
  }

  onError(e: { message?: string; value?: string }) {
    this.failed++;
    console.log(e.message ?? e.value);
  }

  onEnd(_: FullResult) {
    console.log(`${this.passed} passed, ${this.failed} failed`);
  }
}
