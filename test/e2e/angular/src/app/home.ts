import { Component } from '@angular/core';

/** The page without jobs. */
@Component({ template: `<h1>Home</h1>` })
export class Home {}
