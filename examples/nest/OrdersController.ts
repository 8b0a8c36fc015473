import { Body, Controller, Get, HttpCode, Inject, NotFoundException, Param, Post } from '@nestjs/common';
import { OrdersService, type Order } from './OrdersService.js';
import type { Input } from './settings.js';

/** Orders, which are painted in turn. */
@Controller('orders/:number')
export class OrdersController {
  constructor(@Inject(OrdersService) private readonly orders: OrdersService) {}

  @Post()
  @HttpCode(202)
  place(@Param('number') number: string, @Body() { prompt }: Input): Order {
    return this.orders.place(number, prompt);
  }

  @Get()
  read(@Param('number') number: string): Order {
    const order = this.orders.get(number);
    if (!order) throw new NotFoundException();
    return order;
  }
}
