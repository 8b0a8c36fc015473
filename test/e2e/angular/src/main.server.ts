import { mergeApplicationConfig } from '@angular/core';
import { bootstrapApplication, type BootstrapContext } from '@angular/platform-browser';
import { RenderMode, provideServerRendering, withRoutes } from '@angular/ssr';
import { App } from './app/app';
import { config } from './app/config';

const routes = [
  { path: 'prerendered', renderMode: RenderMode.Prerender },
  { path: '**', renderMode: RenderMode.Server },
] as const;

const serverConfig = mergeApplicationConfig(config, { providers: [provideServerRendering(withRoutes([...routes]))] });

export default (context: BootstrapContext) => bootstrapApplication(App, serverConfig, context);
