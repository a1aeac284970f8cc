import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Public, Roles } from '@signet/auth-guard';
import { Idempotent, IdempotencyKey, IdempotencyService } from '@signet/database';
import type { IdempotentAnswer, IdempotentRequest } from '@signet/database';
import { pageOf, Returns } from '@signet/http';
import type { Page } from '@signet/http';
import { newProduct, product, productChange, productQuery, sku } from './product.schema.js';
import type { NewProduct, Product, ProductChange, ProductQuery } from './product.schema.js';
import { ProductsService } from './products.service.js';

@ApiTags('products')
@Controller('products')
export class ProductsController {
  constructor(
    private readonly products: ProductsService,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** The catalogue, by SKU. */
  @Get()
  @Public()
  @Returns(200, pageOf(product))
  list(@Query({ schema: productQuery }) query: ProductQuery): Promise<Page<Product>> {
    return this.products.list(query);
  }

  /** One product, sold or not. */
  @Get(':sku')
  @Public()
  @Returns(200, product)
  read(@Param('sku', { schema: sku }) id: string): Promise<Product> {
    return this.products.read(id);
  }

  /** Adds a product, with no stock yet. */
  @Post()
  @Roles('warehouse', 'admin')
  @Idempotent()
  @Returns(201, product)
  create(
    @IdempotencyKey(201) request: IdempotentRequest,
    @Body({ schema: newProduct }) body: NewProduct,
  ): Promise<IdempotentAnswer> {
    return this.idempotency.run(request, (transaction) => this.products.create(transaction, body));
  }

  /** Changes the members that are given; `description: null` removes it. */
  @Patch(':sku')
  @Roles('warehouse', 'admin')
  @Returns(200, product)
  change(
    @Param('sku', { schema: sku }) id: string,
    @Body({ schema: productChange }) body: ProductChange,
  ): Promise<Product> {
    return this.products.change(id, body);
  }
}
