import { Body, Controller, Get, HttpStatus, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentUser, Public, RequireFresh, Roles } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { ActingUser, Idempotent, IdempotencyKey, IdempotencyService } from '@signet/database';
import type { Actor, IdempotentAnswer, IdempotentRequest } from '@signet/database';
import { IfMatch, notFound, pageOf, Problem, Returns, Versioned } from '@signet/http';
import type { Page, VersionedAnswer, VersionList } from '@signet/http';
import { newProduct, product, productChange, productQuery, sku } from './product.schema.js';
import type { NewProduct, Product, ProductChange, ProductQuery } from './product.schema.js';
import { ProductsService } from './products.service.js';

/** Who keeps the catalogue. */
const KEEPERS = ['warehouse', 'admin'] as const;

@ApiTags('products')
@Controller('products')
export class ProductsController {
  constructor(
    private readonly products: ProductsService,
    private readonly idempotency: IdempotencyService,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'The catalogue, by SKU',
    description: 'What is not sold, for the warehouse and administrators alone.',
  })
  @Public({ token: 'lenient' })
  @Returns(200, pageOf(product))
  list(
    @Query({ schema: productQuery }) query: ProductQuery,
    @CurrentUser() user: Principal | undefined,
  ): Promise<Page<Product>> {
    if (query.active !== 'true' && !isKeeper(user)) {
      throw new Problem({
        status: HttpStatus.FORBIDDEN,
        code: 'insufficient_scope',
        detail: `active: expected true without the role ${KEEPERS.join(' or ')}.`,
      });
    }
    return this.products.list(query);
  }

  @Get(':sku')
  @ApiOperation({
    summary: 'One product',
    description: 'One that is not sold, for the warehouse and administrators alone.',
  })
  @Public({ token: 'lenient' })
  @Versioned()
  @Returns(200, product)
  async read(
    @Param('sku', { schema: sku }) id: string,
    @CurrentUser() user: Principal | undefined,
  ): Promise<VersionedAnswer<Product>> {
    const found = await this.products.read(id);
    if (!found.body.active && !isKeeper(user)) throw notFound('product');
    return found;
  }

  @Post()
  @ApiOperation({ summary: 'Adds a product, with no stock yet' })
  @Roles(...KEEPERS)
  @RequireFresh()
  @Idempotent()
  @Returns(201, product)
  create(
    @IdempotencyKey(201) request: IdempotentRequest,
    @Body({ schema: newProduct }) body: NewProduct,
    @ActingUser() actor: Actor,
  ): Promise<IdempotentAnswer> {
    return this.idempotency.run(request, (transaction) =>
      this.products.create(transaction, body, actor),
    );
  }

  @Patch(':sku')
  @ApiOperation({
    summary: 'Changes the members that are given; `description: null` removes it',
    description:
      'With If-Match only if nobody has edited it since; what is sold in the meantime does not count.',
  })
  @Roles(...KEEPERS)
  @RequireFresh()
  @Versioned()
  @Returns(200, product)
  change(
    @Param('sku', { schema: sku }) id: string,
    @Body({ schema: productChange }) body: ProductChange,
    @IfMatch() ifMatch: VersionList | undefined,
    @ActingUser() actor: Actor,
  ): Promise<VersionedAnswer<Product>> {
    return this.products.change(id, body, ifMatch, actor);
  }
}

function isKeeper(user: Principal | undefined): boolean {
  return KEEPERS.some((role) => user?.roles.includes(role));
}
