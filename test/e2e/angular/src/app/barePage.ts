import { Component } from '@angular/core';

/** What every route shows in the build without the library. */
@Component({ template: `<p>nothing</p>` })
export class BarePage {}
