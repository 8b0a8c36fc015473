import { buildDashboard } from '../../scripts/lib/dashboard.mjs';

let built: ReturnType<typeof buildDashboard> | undefined;
const files = () => (built ??= buildDashboard());

/** The dashboard's page, bundled from its source when a test first asks for it. */
export default {
  get html() {
    return files().html;
  },
  get css() {
    return files().css;
  },
  get script() {
    return files().script;
  },
};
