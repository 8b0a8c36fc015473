// The harness writes this file for each build.
import { provideZonelessChangeDetection } from '@angular/core';

export const provideChangeDetection = () => provideZonelessChangeDetection();
