import type { CreateAxiosDefaults } from 'axios';

/** How the default axios instance sends, on the platform at hand. */
export interface AxiosAdapterSetup {
  readonly config: CreateAxiosDefaults;
  readonly close?: () => Promise<void>;
}
