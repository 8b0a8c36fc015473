/** Sets TestBed up as the Angular CLI does, without its compiler: components are compiled when they are first used. */
import '@angular/compiler';
import { provideZonelessChangeDetection, type EnvironmentProviders, type Provider } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { BrowserTestingModule, platformBrowserTesting } from '@angular/platform-browser/testing';
import { afterEach } from 'vitest';
import { injectLedger, provideRunpodTesting, type Ledger, type RunpodTestingOptions } from 'runpod-rx/angular/testing';

TestBed.initTestEnvironment(BrowserTestingModule, platformBrowserTesting());

afterEach(() => {
  TestBed.resetTestingModule();
});

/** An application without zone.js, over an emulator in virtual time. */
export function emulated(options: RunpodTestingOptions, providers: (Provider | EnvironmentProviders)[] = []): Ledger {
  TestBed.configureTestingModule({
    providers: [provideZonelessChangeDetection(), provideRunpodTesting(options), ...providers],
  });
  return TestBed.runInInjectionContext(injectLedger);
}
