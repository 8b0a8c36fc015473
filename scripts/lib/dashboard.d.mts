export interface DashboardFiles {
  readonly html: string;
  readonly css: string;
  readonly script: string;
}
export function buildDashboard(): DashboardFiles & { readonly metafile: unknown };
export function dashboardModule(): string;
