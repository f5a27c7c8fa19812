// A real browser: Debian's Chromium, without a window.
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { build, patience } from './process.mjs';

const program = process.env.CHROMIUM ?? '/usr/bin/chromium';

export class Browser {
  static async start() {
    const browser = new Browser();
    browser.program = await chromium.launch({ executablePath: program, timeout: patience });
    return browser;
  }
  // A page of its own, with cookies of its own; what goes wrong in it is kept in `page.mistakes`.
  async open(url, { cookies = {} } = {}) {
    const context = await this.program.newContext({ viewport: { width: 900, height: 420 } });
    await context.addCookies(Object.entries(cookies).map(([name, value]) => ({ name, value, url })));
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    page.mistakes = [];
    page.on('pageerror', (error) => page.mistakes.push(error.message));
    await page.goto(url);
    return page;
  }
  // The page as it looks now, in the build folder; the file.
  async screenshot(page, name) {
    const file = path.join(build, 'screenshots', `${name}.png`);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    await page.screenshot({ path: file });
    return file;
  }
  stop() {
    return this.program.close();
  }
}
